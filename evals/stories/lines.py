"""The lines of a story's building, as steps and texts name them."""

from dataclasses import dataclass, field

from domain.plain_json import JsonObject
from domain.text import slug
from evals.stories.format import Story
from storage.buildings import lines_of


@dataclass
class LineBook:
    """Ids and names of the lines; it learns of those that events add or rename."""

    names: dict[str, str] = field(default_factory=dict)
    """The name of each line today, by its id."""

    @classmethod
    def of_story(cls, story: Story) -> "LineBook":
        """The lines at the start."""
        return cls({line.item_id: line.name for line in lines_of(story.spec)})

    def find_id(self, named: str) -> str:
        """The id of the line that is named, also of one that is not there yet."""
        for item_id, name in self.names.items():
            if named == item_id or named.casefold() == name.casefold():
                return item_id
        return slug(named) if any(letter.isalnum() for letter in named) else named

    def find_ids(self, named: list[str]) -> frozenset[str]:
        return frozenset(self.find_id(one) for one in named)

    def find_mentioned(self, text: str) -> frozenset[str]:
        """The lines whose names stand in the text."""
        lowered = text.lower()
        return frozenset(item_id for item_id, name in self.names.items() if name.lower() in lowered)

    def learn(self, event: JsonObject) -> None:
        """Keep the lines that an `Items_Changed` adds, and the names that it changes."""
        items = event.get("items")
        if event.get("event_type") != "Items_Changed" or not isinstance(items, list):
            return
        for item in items:
            if isinstance(item, dict) and item.get("name"):
                name = str(item["name"])
                if item.get("item_id"):
                    self.names[str(item["item_id"])] = name
                else:
                    self.names.setdefault(self.find_id(name), name)
