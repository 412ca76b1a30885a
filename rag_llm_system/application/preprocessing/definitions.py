"""Names the classes and functions that tree-sitter's grammars know."""

import re

from tree_sitter import Node

# Types of nodes are distinct between the grammars; one that lacks a name defines nothing.
_NAMED_TYPES = (
    # Python, Go, Bash, PHP
    "function_definition class_definition function_declaration type_spec "
    # JavaScript, TypeScript
    "generator_function_declaration class_declaration abstract_class_declaration method_definition "
    "abstract_method_signature interface_declaration enum_declaration type_alias_declaration "
    "internal_module module "
    # Java, C#
    "method_declaration constructor_declaration destructor_declaration record_declaration "
    "struct_declaration annotation_type_declaration namespace_declaration property_declaration "
    "delegate_declaration "
    # Rust
    "function_item struct_item enum_item union_item trait_item mod_item macro_definition "
    # C, C++
    "namespace_definition concept_definition "
    # Ruby, PHP
    "class method singleton_method trait_declaration"
)
_NAMED = frozenset(_NAMED_TYPES.split())
_WITH_BODY = frozenset({"struct_specifier", "class_specifier", "enum_specifier", "union_specifier"})
_FUNCTION_VALUES = frozenset(
    {"arrow_function", "function_expression", "generator_function", "class"}
)
_MAX_NAME_CHARS = 200
_MAX_SIGNATURE_CHARS = 160
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$")


def definition_name(node: Node) -> str:
    """The name of the class, function or the like that the node defines; "" when it is none."""
    kind = node.type
    if kind in _NAMED:
        return _name(node)
    if kind in _WITH_BODY and node.child_by_field_name("body"):
        return _text(node.child_by_field_name("name"))
    if kind == "type_definition":  # C's typedef
        return _declared_name(node)
    if kind == "impl_item":  # Rust
        return _first_identifier(node.child_by_field_name("type"))
    value = node.child_by_field_name("value") if kind == "variable_declarator" else None
    return (
        _text(node.child_by_field_name("name")) if value and value.type in _FUNCTION_VALUES else ""
    )


def signature(node: Node, source: bytes) -> str:
    """What stands before the body of the definition, on one line; its first line where it has no body."""
    body = _body(node)
    end = body.start_byte if body else node.end_byte
    # comments stand between the two as siblings
    comments = (child.start_byte for child in node.children if "comment" in child.type)
    end = min(end, node.start_byte + 4 * _MAX_SIGNATURE_CHARS, *comments)
    text = source[node.start_byte : end].decode("utf-8", "replace").strip()
    text = text if body else text.partition("\n")[0]
    return " ".join(text.split())[:_MAX_SIGNATURE_CHARS]


def _body(node: Node) -> Node | None:
    """Its own, or that of the function, the class or the type that it gives a name to."""
    for field in ("value", "type"):
        inner = node.child_by_field_name(field)
        if inner and (body := inner.child_by_field_name("body")):
            return body
    return node.child_by_field_name("body")


def _first_identifier(node: Node | None) -> str:
    found = _IDENTIFIER.search(_text(node))
    return found[0] if found else ""


def _name(node: Node) -> str:
    name = _text(node.child_by_field_name("name"))
    if not name:
        return _declared_name(node)
    receiver = _text(node.child_by_field_name("receiver"))
    of_type = _RECEIVER.search(receiver) if receiver else None
    return f"{of_type[1]}.{name}" if of_type else name


def _declared_name(node: Node) -> str:
    """C and C++ wrap the name in declarators: of a pointer, of a function, of parameters."""
    inner: Node | None = node
    while inner and (deeper := inner.child_by_field_name("declarator")):
        inner = deeper
    return _text(inner).replace("::", ".") if inner and inner is not node else ""


def _text(node: Node | None) -> str:
    text = node.text if node else None
    return text[: 4 * _MAX_NAME_CHARS].decode("utf-8", "replace")[:_MAX_NAME_CHARS] if text else ""
