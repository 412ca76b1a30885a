"""Which language a file is written in, by its name or by the first line of a script."""

import re
from pathlib import PurePosixPath

from rag_llm_system.application.crawlers.github import LANGUAGES

EXTENSIONS = {
    **LANGUAGES,
    ".bash": "shell",
    ".bat": "batch",
    ".cjs": "javascript",
    ".clj": "clojure",
    ".cmake": "cmake",
    ".cts": "typescript",
    ".cu": "cpp",
    ".cxx": "cpp",
    ".dart": "dart",
    ".erl": "erlang",
    ".ex": "elixir",
    ".exs": "elixir",
    ".fs": "fsharp",
    ".gradle": "groovy",
    ".graphql": "graphql",
    ".groovy": "groovy",
    ".hh": "cpp",
    ".hs": "haskell",
    ".hxx": "cpp",
    ".jl": "julia",
    ".kts": "kotlin",
    ".less": "css",
    ".lua": "lua",
    ".m": "objective-c",
    ".mjs": "javascript",
    ".mk": "make",
    ".ml": "ocaml",
    ".mm": "objective-c",
    ".mts": "typescript",
    ".nim": "nim",
    ".pl": "perl",
    ".pm": "perl",
    ".proto": "protobuf",
    ".ps1": "powershell",
    ".pyw": "python",
    ".pyx": "cython",
    ".r": "r",
    ".rake": "ruby",
    ".sass": "css",
    ".scss": "css",
    ".sol": "solidity",
    ".svelte": "svelte",
    ".tf": "terraform",
    ".vue": "vue",
    ".zig": "zig",
    ".zsh": "shell",
}

NAMES = {
    "brewfile": "ruby",
    "changelog": "text",
    "changes": "text",
    "cmakelists.txt": "cmake",
    "containerfile": "dockerfile",
    "contributing": "text",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "gnumakefile": "make",
    "jenkinsfile": "groovy",
    "justfile": "make",
    "license": "text",
    "makefile": "make",
    "notice": "text",
    "pipfile": "toml",
    "procfile": "yaml",
    "rakefile": "ruby",
    "readme": "text",
    "vagrantfile": "ruby",
}

_INTERPRETERS = {
    "bash": "shell",
    "bun": "typescript",
    "dash": "shell",
    "deno": "typescript",
    "ksh": "shell",
    "lua": "lua",
    "node": "javascript",
    "perl": "perl",
    "php": "php",
    "pwsh": "powershell",
    "python": "python",
    "rscript": "r",
    "ruby": "ruby",
    "sh": "shell",
    "ts-node": "typescript",
    "zsh": "shell",
}
_VERSION = re.compile(r"[\d.]+$")


def language_of(path: str, first_line: str = "") -> str:
    """ "" where neither the name nor a ``#!`` line says it."""
    name = PurePosixPath(path).name.lower()
    if name in NAMES:
        return NAMES[name]
    if name.startswith("dockerfile."):
        return "dockerfile"
    return EXTENSIONS.get(PurePosixPath(name).suffix, "") or _of_script(first_line)


def _of_script(line: str) -> str:
    """Of ``#!/usr/bin/env -S LANG=C python3 -u`` the interpreter is the first word that is no option of ``env``."""
    if not line.startswith("#!"):
        return ""
    for word in line[2:].split():
        program = word.rpartition("/")[2].lower()
        if program != "env" and not word.startswith("-") and "=" not in word:
            return _INTERPRETERS.get(_VERSION.sub("", program), "")
    return ""
