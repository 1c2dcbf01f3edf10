from __future__ import annotations

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.declare import SCOPES
from pinky_core.json_schema import DIALECT, document_schema, manifest_schema
from pinky_core.testing import documents
from tests.kinds import REGISTRY, Box, Item

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.text(max_size=6) | st.sampled_from(["RED", "blue", "R-e-d"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["file", "x"]), inner, max_size=2),
    max_leaves=4,
)
FIELDS = [*Box.spec.by_name, "name", "depends_on", "renamed_from", "unknown"]


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_the_fast_validator_agrees_with_the_one_that_explains(document):
    schema = {"$schema": DIALECT, **document_schema(Box)}
    slow = jsonschema.Draft202012Validator(schema).is_valid(document)
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(document) == slow


@given(documents(Box))
def test_drawn_documents_are_valid(document):
    jsonschema.validate({"name": "x", **document}, document_schema(Box))


@pytest.mark.parametrize("value", ["SELECT 1", {"file": "x.sql"}, None])
def test_a_sql_text_may_stand_in_a_file(value: object):
    jsonschema.validate({"name": "x", "text": value}, document_schema(Item))


def test_the_manifest_schema_is_a_schema_and_knows_its_kinds():
    schema = manifest_schema(REGISTRY.kinds, {"stages": {"type": "array"}}, SCOPES)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"scope": "account", "resources": {"box": [{"name": "a", "for_each": "vars.x"}]}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"resources": {"boxes": []}}, schema)
