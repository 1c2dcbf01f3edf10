from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinky_core.datatype import DataType, Element

SYNONYMS = {
    "NUMBER(38,0)": "NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT number(38) Number(38,0)",
    "FLOAT": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL double",
    "VARCHAR(16777216)": "VARCHAR VARCHAR2 STRING TEXT NVARCHAR NVARCHAR2 text(16777216)",
    "VARCHAR(1)": "CHAR CHARACTER NCHAR VARCHAR(1)",
    "BINARY(8388608)": "BINARY VARBINARY",
    "TIMESTAMP_NTZ(9)": "TIMESTAMP DATETIME TIMESTAMP_NTZ TIMESTAMPNTZ timestamp(9)",
    "TIMESTAMP_LTZ(9)": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "TIMESTAMP_TZ(9)": "TIMESTAMP_TZ TIMESTAMPTZ",
    "TIME(9)": "TIME time(9)",
}


@pytest.mark.parametrize(
    ("text", "canonical"), [(text, canonical) for canonical, texts in SYNONYMS.items() for text in texts.split()]
)
def test_a_synonym_is_the_canonical_type(text: str, canonical: str) -> None:
    assert str(DataType.parse(text)) == canonical
    assert DataType.parse(text) == DataType.parse(canonical)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("double  precision", "FLOAT"),
        ("char varying(7)", "VARCHAR(7)"),
        ("NCHAR VARYING", "VARCHAR(16777216)"),
        ("timestamp(3) with local time zone", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP WITH TIME ZONE (6)", "TIMESTAMP_TZ(6)"),
        ("timestamp without time zone", "TIMESTAMP_NTZ(9)"),
        ("VARCHAR(134217728)", "VARCHAR(134217728)"),
        ("array", "ARRAY"),
        ("array(int not null)", "ARRAY(NUMBER(38,0) NOT NULL)"),
        ("object()", "OBJECT()"),
        ('object(a int, "b c" text not null)', 'OBJECT(a NUMBER(38,0), "b c" VARCHAR(16777216) NOT NULL)'),
        ("map(text(3), array(date))", "MAP(VARCHAR(3), ARRAY(DATE))"),
        ("vector( float , 256 )", "VECTOR(FLOAT, 256)"),
        ("period(timestamp_ltz)", "PERIOD(TIMESTAMP_LTZ(9))"),
        ("interval year(2) to month", "INTERVAL YEAR(2) TO MONTH"),
        ("interval day to second(3)", "INTERVAL DAY(9) TO SECOND(3)"),
        ("interval second", "INTERVAL SECOND(9, 9)"),
        ("decfloat(38)", "DECFLOAT"),
    ],
)
def test_a_type_with_arguments_is_spelled_canonically(text: str, canonical: str) -> None:
    assert str(DataType.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VARCHR", "did you mean VARCHAR"),
        ("", "name is missing"),
        ("NUMBER(39)", "allowed: 1 to 38"),
        ("NUMBER(3,4)", "allowed: 0 to 3"),
        ("INT(3)", "INT has arguments"),
        ("VARCHAR(134217729)", "allowed: 1 to 134217728"),
        ("BINARY(67108865)", "allowed: 1 to 67108864"),
        ("TIME(10)", "allowed: 0 to 9"),
        ("FLOAT(3)", "takes none"),
        ("VARCHAR(5", "expected '\\)'"),
        ("VARCHAR(5) x", "unexpected 'X'"),
        ("VARCHAR;", "unexpected ';'"),
        ("MAP", "needs its element types"),
        ("MAP(FLOAT, INT)", "key of MAP is FLOAT"),
        ("VECTOR(STRING, 256)", "allowed: FLOAT, INT"),
        ("VECTOR(INT, 4097)", "allowed: 1 to 4096"),
        ("OBJECT(a INT, a TEXT)", "twice"),
        ("PERIOD(TEXT)", "element of PERIOD"),
        ("INTERVAL MONTH TO YEAR", "allowed: no TO"),
        ("ARRAY(" * 200, "nested more than"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataType.parse(text)


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("VARCHAR(5)", "VARCHAR(6)", True),
        ("VARCHAR(6)", "VARCHAR(5)", False),
        ("NUMBER(5,2)", "NUMBER(6,2)", True),
        ("NUMBER(6,2)", "NUMBER(5,2)", False),
        ("NUMBER(5,2)", "NUMBER(9,3)", False),
        ("BINARY(5)", "BINARY(6)", False),
        ("TIME(3)", "TIME(9)", False),
        ("VARCHAR(5)", "NUMBER", False),
        ("STRING", "TEXT", True),
    ],
)
def test_widening_is_what_alter_column_allows(old: str, new: str, allowed: bool) -> None:
    assert DataType.parse(old).widens_to(DataType.parse(new)) is allowed


def test_the_signature_leaves_lengths_out() -> None:
    assert [DataType.parse(each).signature for each in ("int", "char(3)", "timestamp(3)", "array")] == [
        "NUMBER",
        "VARCHAR",
        "TIMESTAMP_NTZ",
        "ARRAY",
    ]


def test_structured_and_semi_structured_types_differ() -> None:
    assert DataType.parse("OBJECT()") != DataType.parse("OBJECT")
    assert DataType.parse("OBJECT()").family == "structured"
    assert DataType.parse("OBJECT").family == "semi-structured"


def test_object_keys_keep_their_case() -> None:
    assert DataType.parse("OBJECT(a INT)") != DataType.parse("OBJECT(A INT)")
    assert DataType.parse('OBJECT("a" INT)') == DataType.parse("OBJECT(a INT)")


def test_the_json_schema_accepts_its_own_examples() -> None:
    schema = DataType.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for example in schema["examples"]:
        jsonschema.validate(example, schema)
        DataType.parse(example)


keys = st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text)
simple = st.one_of(
    st.integers(1, 38).flatmap(
        lambda p: st.integers(0, min(p, 37)).map(lambda s: DataType("NUMBER", precision=p, scale=s))
    ),
    st.integers(1, 134_217_728).map(lambda n: DataType("VARCHAR", length=n)),
    st.integers(1, 67_108_864).map(lambda n: DataType("BINARY", length=n)),
    st.integers(1, 4096).map(lambda n: DataType("VECTOR", length=n, qualifier="INT")),
    st.builds(lambda n, p: DataType(n, precision=p), st.sampled_from(["TIME", "TIMESTAMP_TZ"]), st.integers(0, 9)),
    st.sampled_from(["BOOLEAN", "DATE", "FLOAT", "DECFLOAT", "VARIANT", "ARRAY", "OBJECT", "GEOGRAPHY"]).map(DataType),
    st.sampled_from(["INTERVAL HOUR(3)", "INTERVAL DAY(9) TO SECOND(0)", "INTERVAL SECOND(2, 3)"]).map(DataType.parse),
)


def containers(inner: st.SearchStrategy[DataType]) -> st.SearchStrategy[DataType]:
    elements = st.builds(Element, inner, st.booleans())
    entries = st.dictionaries(keys, elements, max_size=3).map(
        lambda found: tuple(Element(each.type, each.nullable, key) for key, each in found.items())
    )
    return st.one_of(
        elements.map(lambda each: DataType("ARRAY", elements=(each,))),
        entries.map(lambda each: DataType("OBJECT", elements=each)),
        elements.map(lambda each: DataType("MAP", elements=(Element(DataType("VARCHAR", length=9)), each))),
    )


@given(st.recursive(simple, containers, max_leaves=6))
def test_parsing_the_printed_type_gives_the_type(type_: DataType) -> None:
    assert DataType.parse(str(type_)) == type_
    assert hash(DataType.parse(str(type_))) == hash(type_)
    assert str(DataType.parse(str(type_))) == str(type_)


@given(st.recursive(simple, containers, max_leaves=4), st.recursive(simple, containers, max_leaves=4))
def test_widening_both_ways_means_equal(left: DataType, right: DataType) -> None:
    assert (left.widens_to(right) and right.widens_to(left)) == (left == right)
