"""Questions to people: one file for each kind with all that is known of it; every table over kinds is derived here."""

from domain.questions.build import Background as Background
from domain.questions.build import build_question as build_question
from domain.questions.build import matter_on_file as matter_on_file
from domain.questions.build import still_stands as still_stands
