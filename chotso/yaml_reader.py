"""The only reader of YAML: values are read as written, and no key may be repeated.

Registers, contracts, rules and the configuration of sealed releases are all read here.
"""

from typing import Any

import yaml

YamlNode = yaml.Node
MappingNode = yaml.MappingNode


class NotYamlError(ValueError):
    """A text that is not YAML, or that repeats a key; says where."""


def read_yaml(content: str | bytes) -> Any:
    """The content as mappings, lists, text, whole numbers, booleans and None.

    Dates and decimals stay text as written: a float would not be exact.

    Raises:
        NotYamlError: It is not YAML in UTF-8, or a key is twice in one mapping.
    """
    try:
        return yaml.load(_text(content), Loader=_AsWritten)
    except yaml.YAMLError as error:
        raise NotYamlError(str(error)) from error


def compose_yaml(content: str | bytes) -> YamlNode | None:
    """The content's nodes with their line numbers.

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


class _AsWritten(yaml.CSafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping without repeated keys; YAML itself would use the last one."""
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
