# SPDX-License-Identifier: Apache-2.0
"""Reads the code: its files, the room of each, what they include and what they define."""
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from house.rooms import ROOMS

FOLDERS = ("include", "src", "text", "sniff", "port", "bench", "apps", "firmware", "registry", "secrets", "sinks", "web", "examples")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>|(\w+))', re.M)
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"')
# A function that other files can call: its head starts the line, and its body follows.
DEFINITION = re.compile(r"^(?!static\b|typedef\b)[A-Za-z_][\w \t*]*?\b(\w+)\([^;{}]*\)\s*\{", re.M)
STATIC = re.compile(r"^static\b[\w \t*]*?\b(\w+)\(", re.M)
NAME = re.compile(r"(?<![\w.])(?<!->)[A-Za-z_]\w*")


def without_comments(text):
    return COMMENT.sub(lambda m: m[1] or "\n" * m[0].count("\n"), text)


def room_of(path):
    """The Room of a file; None if the table has none for it."""
    if path.startswith("include/larch/"):
        name = path.removeprefix("include/larch/")
        return next((room for room in ROOMS if name in room.headers), None)
    return next((room for room in ROOMS if any(fnmatchcase(path, pattern) for pattern in room.files)), None)


def may_use(room, other):
    """Whether the table has an arrow from a Room to the room of that name."""
    return any(fnmatchcase(other, used) for used in room.uses)


def name_of(path):
    """The name of a file's room; a command's is that of its folder."""
    room = room_of(path)
    if room and room.each:
        return "/".join(path.split("/")[: room.files[0].count("/")])
    return room and room.name


@dataclass(frozen=True)
class Include:
    """One #include, as written in `line`."""

    name: str  # None if a macro hides it
    angled: bool
    macro: str
    line: int
    target: str  # the file of this tree that it means, or None


class Source:
    def __init__(self, path, text, known):
        self.path = path
        self.lines = text.split("\n")
        self.room = room_of(path)
        self.code = without_comments(text)
        self.includes = [self.include(match, known) for match in INCLUDE.finditer(self.code)]

    def include(self, match, known):
        quoted, angled, macro = match.groups()
        name = quoted or angled
        line = self.code.count("\n", 0, match.start()) + 1
        return Include(name, bool(angled), macro, line, self.resolve(name, known) if name else None)

    def resolve(self, name, known):
        """The file of this tree that an include means; None if there is none."""
        parts = self.path.split("/")[:-1]
        around = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
        used = self.room.uses if self.room else ()  # their names are their folders
        folders = (*around, "include", "src", "port", "sniff", *used)
        return next((file for file in (joined(folder, name) for folder in folders) if file in known), None)

    def bare(self):
        """The code without includes and texts."""
        return LITERAL.sub("", INCLUDE.sub("", self.code))


def joined(folder, name):
    parts = []
    for part in f"{folder}/{name}".split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def read(root):
    """path -> Source, for every file that the table covers."""
    paths = sorted(
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in (Path(root) / folder).rglob("*.[ch]")
        if "build" not in path.parts[len(root.parts):]
        # The helper of the comparison uses other libraries, and looks inside ours as tests do.
        and "peers" not in path.parts[len(root.parts):]
    )
    known = set(paths)
    return {path: Source(path, (root / path).read_text(encoding="utf-8"), known) for path in paths}


def includes_of(sources):
    """file -> files of this tree that it includes."""
    return {path: {include.target for include in source.includes if include.target} for path, source in sources.items()}


def calls_of(sources):
    """file -> files of its room that define a function it names. A name that two files define counts for neither."""
    defined, bare = {}, {path: source.bare() for path, source in sources.items() if path.endswith(".c")}
    own = {}
    for path, code in bare.items():
        names = set(DEFINITION.findall(code))
        own[path] = names | set(STATIC.findall(code))
        for name in names:
            defined.setdefault((name_of(path), name), set()).add(path)
    calls = {}
    for path, code in bare.items():
        for name in set(NAME.findall(code)) - own[path]:
            files = defined.get((name_of(path), name), ())
            if len(files) == 1:
                calls.setdefault(path, set()).update(files)
    return calls


def circles(arrows):
    """The groups of nodes that reach each other: each sorted, the list too. (Tarjan's algorithm.)"""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(arrows.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(arrows):
        if node not in order:
            visit(node)
    return sorted(found)
