"""Say what of the goods is good that were on site when lines were taken on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.buildings import Strict
from domain.text import PlannedDay


class JudgeGoodsArguments(Strict):
    entry: int = Field(ge=0, description="The entry that the lines were taken on with, as the question says.")
    verdict: Literal["accept", "inspect"] = Field(description="accept: as they are. inspect: plan an inspection.")
    on: PlannedDay | None = Field(None, description="With inspect: the day of the inspections.")
    lines: list[ItemArguments] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Which lines; all whose goods still wait for a verdict when absent.",
    )

    @model_validator(mode="after")
    def _has_its_day(self) -> Self:
        if (self.verdict == "inspect") != (self.on is not None):
            raise ValueError("on: the day of the inspections goes with the verdict inspect, and only with it")
        return self


class JudgeGoodsTakenOn(ActionShape):
    """Accept goods as they are that were on site when their lines were taken on, or plan their inspection."""

    name: Literal["judge_goods_taken_on"]
    arguments: JudgeGoodsArguments


KIND = ActionKind[JudgeGoodsArguments](
    shape=JudgeGoodsTakenOn,
    needs_a_person=True,
    is_persons_own=True,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("entry", "on", "lines"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="{verdict} the goods that were on site when the lines were taken on",
    done="judged what was on site when the lines were taken on ({verdict})",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
