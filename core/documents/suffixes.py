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
    ".log": "text/plain",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mdx": "text/mdx",
    ".org": "text/plain",
    ".pdf": "application/pdf",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".rst": "text/x-rst",
    ".srt": "text/plain",
    ".tex": "text/plain",
    ".text": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".vtt": "text/plain",
    ".xhtml": "application/xhtml+xml",
}
"""Media types of documents."""

LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys((".bat", ".cmd"), "bat"),
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "cpp"),
    **dict.fromkeys((".cfg", ".conf", ".ini"), "ini"),
    **dict.fromkeys((".clj", ".cljc", ".cljs"), "clojure"),
    **dict.fromkeys((".erl", ".hrl"), "erlang"),
    **dict.fromkeys((".ex", ".exs"), "elixir"),
    **dict.fromkeys((".f", ".f90", ".for"), "fortran"),
    **dict.fromkeys((".fs", ".fsx"), "fsharp"),
    **dict.fromkeys((".gql", ".graphql"), "graphql"),
    **dict.fromkeys((".gradle", ".groovy"), "groovy"),
    **dict.fromkeys((".hcl", ".tf"), "hcl"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".kt", ".kts"), "kotlin"),
    **dict.fromkeys((".ml", ".mli"), "ocaml"),
    **dict.fromkeys((".pl", ".pm"), "perl"),
    **dict.fromkeys((".ps1", ".psm1"), "powershell"),
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".sh", ".bash", ".zsh"), "sh"),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".cmake": "cmake",
    ".cs": "csharp",
    ".css": "css",
    ".dart": "dart",
    ".elm": "elm",
    ".fish": "fish",
    ".go": "go",
    ".hs": "haskell",
    ".java": "java",
    ".jl": "julia",
    ".json": "json",
    ".less": "less",
    ".lisp": "lisp",
    ".lua": "lua",
    ".mk": "makefile",
    ".nim": "nim",
    ".nix": "nix",
    ".pas": "pascal",
    ".php": "php",
    ".properties": "properties",
    ".proto": "protobuf",
    ".r": "r",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".scss": "scss",
    ".sol": "solidity",
    ".sql": "sql",
    ".svelte": "svelte",
    ".swift": "swift",
    ".tcl": "tcl",
    ".toml": "toml",
    ".vb": "vb",
    ".vue": "vue",
    ".xml": "xml",
    ".zig": "zig",
}
"""Languages of source code, as fenced code blocks name them."""


def suffix_of(name: str) -> str:
    """Return the suffix of a name or path in lower case; empty if there is none."""
    return PurePosixPath(name).suffix.lower()
