"""Attributes of HTML tags that say that an element is not a part of the page's text."""

import re
from html import unescape

from core.documents.parsing.html.tokens import Tag

_ATTRIBUTE = re.compile(r"""([^\s/>"'=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")
_HINT = re.compile(r"hidden|display|role|cookie|consent|gdpr", re.IGNORECASE)
_NOT_DISPLAYED = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)
_BANNER = re.compile(
    r"onetrust|cookiebot|(?=.*(?:cookie|consent|gdpr))"
    r".*(?:banner|bar\b|notice|popup|modal|dialog|overlay|toast|sdk)",
    re.IGNORECASE,
)
"""Names of elements that ask whether cookies may be kept."""
_ROLES = frozenset({"alertdialog", "dialog", "menu", "menubar", "navigation", "search"})
"""Roles of what surrounds the content of a page."""
_MOST_NAME_CHARS = 500
_CLOSED = frozenset(
    {"a", "article", "aside", "button", "details", "dialog", "div", "dl", "fieldset", "figure"}
    | {"footer", "form", "header", "ol", "section", "span", "table", "ul"}
)
"""Elements whose end tag may not be left out, so that their end is known."""


def is_left_out(tag: Tag) -> bool:
    """Return whether an element is hidden, navigation, or a question about cookies.

    The panels of tabs are hidden until they are chosen, and are a part of the page all the same.
    """
    if tag.name not in _CLOSED:
        return False
    if tag.name != "dialog" and not _HINT.search(tag.attributes):
        return False
    attributes = _attributes(tag)
    role = attributes.get("role", "").strip().lower()
    if role == "tabpanel":
        return False
    is_hidden = attributes.get("hidden", "until-found").lower() != "until-found"
    names = f"{attributes.get('id', '')} {attributes.get('class', '')}"[:_MOST_NAME_CHARS]
    return (
        is_hidden
        or role in _ROLES
        or _NOT_DISPLAYED.search(attributes.get("style", "")) is not None
        or (tag.name == "dialog" and "open" not in attributes)
        or any(_BANNER.match(name) for name in names.split())
    )


def is_main(tag: Tag) -> bool:
    """Return whether an element has the role of `<main>`."""
    if tag.name not in _CLOSED or "main" not in tag.attributes:
        return False
    return _attributes(tag).get("role", "").strip().lower() == "main"


def _attributes(tag: Tag) -> dict[str, str]:
    """Return the values by the names in lower case; of two with one name the first counts."""
    attributes: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(tag.attributes):
        attributes.setdefault(name.lower(), unescape(value.strip("\"'")))
    return attributes
