"""Every object type of the account, by kind."""

from __future__ import annotations

from pinky_local.engine.spec import ObjectType
from pinky_local.engine.specs import (
    access,
    account,
    api_integrations,
    contacts,
    containers,
    git,
    notifications,
    policies,
    programs,
    relations,
    storage,
)

_FAMILIES = (
    account, containers, relations, storage, programs, notifications, contacts, api_integrations, git, access, policies,
)  # fmt: skip

TYPES: dict[str, ObjectType] = {spec.kind: spec for family in _FAMILIES for spec in family.TYPES}
"""Object types by kind."""

BY_WORDS: dict[str, ObjectType] = {words: spec for spec in TYPES.values() for words in (spec.words, *spec.synonyms)}
"""Object types by the words of DDL."""

BY_PLURAL: dict[str, ObjectType] = {spec.plural: spec for spec in TYPES.values()}
"""Object types by the words of SHOW."""
BY_PLURAL |= {
    "USER PROCEDURES": TYPES["procedure"],
    "USER FUNCTIONS": TYPES["function"],
    "INTEGRATIONS": TYPES["storage_integration"],
}
