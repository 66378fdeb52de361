"""The suffixes of known kinds of files, and the media type or language that each stands for."""

from collections.abc import Mapping
from pathlib import PurePosixPath

OFFICE = "application/vnd.openxmlformats-officedocument"

MEDIA_TYPES: Mapping[str, str] = {
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".csv": "text/csv",
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".htm": "text/html",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mdx": "text/mdx",
    ".pdf": "application/pdf",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".rst": "text/x-rst",
    ".text": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xhtml": "application/xhtml+xml",
}
"""Media types of documents."""

LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp"), "cpp"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".ts", ".tsx"), "typescript"),
    **dict.fromkeys((".sh", ".bash", ".zsh"), "sh"),
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".cs": "csharp",
    ".css": "css",
    ".go": "go",
    ".java": "java",
    ".json": "json",
    ".kt": "kotlin",
    ".lua": "lua",
    ".php": "php",
    ".pl": "perl",
    ".r": "r",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".sql": "sql",
    ".swift": "swift",
    ".toml": "toml",
    ".xml": "xml",
    ".zig": "zig",
}
"""Languages of source code, as fenced code blocks name them."""


def suffix_of(name: str) -> str:
    """Return the suffix of a name or path in lower case; empty if there is none."""
    return PurePosixPath(name).suffix.lower()
