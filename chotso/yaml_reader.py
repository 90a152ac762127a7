"""The one reader of YAML: what is written is what is read, and nothing is written twice.

Registers, contracts, rules and the configuration of sealed releases are all read here.
"""

from typing import Any

import yaml

Node = yaml.Node
MappingNode = yaml.MappingNode


class NotYamlError(ValueError):
    """A text that is no YAML, or in which a key stands twice; it says where."""


def read_yaml(content: str | bytes) -> Any:
    """The content as mappings, lists, text, whole numbers, truth values and None.

    Dates and decimals stay text, as written: a float would not be the figure as written.

    Raises:
        NotYamlError: It is not YAML in UTF-8, or a key stands twice in one mapping.
    """
    try:
        return yaml.load(_text(content), Loader=_AsWritten)
    except yaml.YAMLError as error:
        raise NotYamlError(str(error)) from error


def compose_yaml(content: str | bytes) -> Node | None:
    """The content's nodes, which know their lines.

    Raises:
        NotYamlError: It is not YAML in UTF-8.
    """
    try:
        return yaml.compose(_text(content), Loader=_AsWritten)
    except yaml.YAMLError as error:
        raise NotYamlError(str(error)) from error


def _text(content: str | bytes) -> str:
    try:
        return content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError as error:
        raise NotYamlError(str(error)) from error


class _AsWritten(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping in which no key stands twice (YAML itself lets the last one win)."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


_AsWritten.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if not pair[0].endswith((":float", ":timestamp"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
