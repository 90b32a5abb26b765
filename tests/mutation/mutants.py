"""The mutants of a module: one small change each.

The changes are mutmut's own (https://mutmut.readthedocs.io), and three that money and tables call
for: an element left out, ``min`` for ``max``, a condition turned round. Its runner is not used: it
leaves out whatever is decorated or outside of functions, which here are the properties that say
what may be paid, and the tables of statuses, currencies and policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import libcst as cst
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

#: An assignment of one of these is a name for a type, and says nothing at run time.
_TYPES = ("Literal", "Mapping", "tuple")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module.

    Attributes:
        line: Where the change begins.
        was, becomes: The lines that differ, joined to one each.
        source: The changed module's text.
    """

    line: int
    was: str
    becomes: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a module's text, each once."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    places = wrapper.resolve(WhitespaceInclusivePositionProvider)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[str, Mutant] = {}
    for node, other in _changes(wrapper.module):
        place = places[node]
        begin = starts[place.start.line - 1] + place.start.column
        end = starts[place.end.line - 1] + place.end.column
        text = source[:begin] + wrapper.module.code_for_node(other) + source[end:]
        if text not in found and text != source and _compiles(text):
            found[text] = Mutant(place.start.line, *_difference(source, text), text)
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _changes(module: cst.Module) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Each node that may be changed, with what may stand in its place."""
    for node in _nodes(module):
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                # Of a text's three changes the first is enough: who sees one sees all.
                most = 1 if isinstance(node, cst.SimpleString) else None
                yield from ((node, other) for other in islice(operator(node), most))
        yield from ((node, other) for other in _without_an_element(node))
        yield from ((node, other) for other in _other_extreme(node))
        yield from ((test, _not(test)) for test in _conditions(node))


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes that say something at run time, in order."""
    if _is_silent(node):
        return
    if _calls(node, "cast"):
        yield from _nodes(cst.ensure_type(node, cst.Call).args[1])
        return
    yield node
    # An assertion's message is for a developer, in a traceback.
    children = [node.test] if isinstance(node, cst.Assert) else node.children
    for child in children:
        yield from _nodes(child)


def _is_silent(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Expr):
        return isinstance(node.value, cst.BaseString)  # a docstring
    if isinstance(node, cst.Assign) and isinstance(node.value, cst.Subscript):
        return isinstance(node.value.value, cst.Name) and node.value.value.value in _TYPES
    return isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom)


def _calls(node: cst.CSTNode, name: str) -> bool:
    return (
        isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and (node.func.value == name)
    )


def _without_an_element(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A set, mapping or sequence that lacks one of its elements."""
    if isinstance(node, cst.Set) and len(node.elements) == 1:
        yield cst.Call(cst.Name("set"))
    elif isinstance(node, cst.Set | cst.Dict | cst.List | cst.Tuple):
        for number in range(len(node.elements)):
            rest = [*node.elements[:number], *node.elements[number + 1 :]]
            if isinstance(node, cst.Tuple) and len(rest) == 1:
                rest = [rest[0].with_changes(comma=cst.Comma())]
            yield node.with_changes(elements=rest)


def _other_extreme(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """``max`` for ``min``, ``min`` for ``max``."""
    for name, other in (("min", "max"), ("max", "min")):
        if _calls(node, name):
            yield node.with_changes(func=cst.Name(other))


def _conditions(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """What a node decides by, where that is no operator, which mutmut turns itself."""
    tests: tuple[cst.BaseExpression, ...] = ()
    if isinstance(node, cst.If | cst.While | cst.CompIf):
        tests = (node.test,)
    elif isinstance(node, cst.BooleanOperation):
        tests = (node.left, node.right)
    yield from (one for one in tests if isinstance(one, cst.Name | cst.Attribute | cst.Call))


def _not(test: cst.BaseExpression) -> cst.BaseExpression:
    opposite = cst.UnaryOperation(cst.Not(), test)
    return opposite.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(was: str, becomes: str) -> tuple[str, str]:
    before, after = was.splitlines(), becomes.splitlines()
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return _joined(before), _joined(after)


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(line.partition("  #")[0].split()) for line in lines)
