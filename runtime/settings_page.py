"""The page of all settings in the documents, made from `Settings`. `make docs` renews it."""

from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from runtime.settings import VARIABLES, Settings
from runtime.settings_checks import describe_expected

PAGE = Path("docs/settings.md")
_HEAD = (
    "# Settings\n\n"
    "Every setting is an environment variable. A wrong one is named at the start "
    "([operations.md](operations.md#settings-that-are-wrong)). This page is made from `runtime/settings.py` by "
    "`make docs`.\n\n"
    "| variable | default | what | allowed |\n|---|---|---|---|\n"
)
_EMPTY = "empty"


def write_page() -> str:
    """The whole page as Markdown, in the order in which the settings are declared."""
    fields = Settings.model_fields
    return _HEAD + "".join(_write_row(VARIABLES[name], fields[name]) for name in fields)


def _write_row(variable: str, setting: FieldInfo) -> str:
    expected = (describe_expected(setting) or "").removesuffix(" is expected")
    cells = (f"`{variable}`", _write_default(setting), setting.description or "", expected)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _write_default(setting: FieldInfo) -> str:
    default = setting.default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None:
        return "none"
    if default in ("", [], {}):
        return _EMPTY
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
