"""What a refusal of Snowflake means to a role: which privileges it lacks, or what it cannot see.

SHOW lists only what a role holds a privilege on, so an object that exists can be planned as one to create; the refusal
of that CREATE is where the truth comes out (https://docs.snowflake.com/en/sql-reference/sql/show-tables#usage-notes).
"""

from __future__ import annotations

from pinky_core.change import Action
from pinky_core.errors import StatementError
from pinky_core.resource import Resource

__all__ = ["privilege_hint", "refusal_hint"]

EXISTS = 2002
EXISTS_AS_OTHER_KIND = 1998
EXISTS_HIDDEN = 3041
NOT_FOUND = frozenset({2003, 2043})
INSUFFICIENT = 3001
NOT_EXECUTABLE = 91089


def privilege_hint(kind: type[Resource] | None, role: str, action: Action | None = None) -> str:
    """What the role needs for this kind, as a sentence; empty where the kind does not say.

    For a CREATE what only an existing object needs is left out, and the other way round.
    """
    if kind is None:
        return ""
    word = kind.spec.kind.replace("_", " ")
    fitting = [each for each in kind.privileges if _fits(*each, word, action)]
    needed = ", ".join(f"{privilege} on {what}" for privilege, what in fitting)
    if not needed:
        return ""
    doing = {Action.CREATE: "create", Action.DROP: "drop", None: "read and change"}.get(action, "change")
    return f"To {doing} a {word}, role {role} needs of these what applies: {needed}."


def _fits(privilege: str, what: str, word: str, action: Action | None) -> bool:
    if action is Action.CREATE:
        return what != f"the {word}"
    return action is None or not privilege.startswith("CREATE ")


def refusal_hint(error: StatementError, role: str, kind: type[Resource] | None, action: Action | None) -> str:
    """What to do about a refused statement of a plan that this role made; empty where the message says it all."""
    if error.errno == EXISTS_HIDDEN:
        text = (
            f"It exists, but role {role} holds no privilege on it and cannot see it; so it was planned as new. "
            f"Use the role that owns it, or have its owner grant privileges on it to {role}."
        )
        return _sentences(text, privilege_hint(kind, role))
    if error.errno == EXISTS and action is Action.CREATE:
        text = (
            "It exists: it was made after this plan read the account, "
            f"or role {role} cannot see it for lack of a privilege on it. Plan again."
        )
        return _sentences(text, privilege_hint(kind, role))
    if error.errno == NOT_EXECUTABLE:
        return f"Whoever owns a task that runs needs EXECUTE TASK on the account: role {role}, if it makes the task."
    if error.errno == EXISTS_AS_OTHER_KIND:
        return "An object of another kind has this name, in the one name space that both kinds share."
    if error.errno == INSUFFICIENT:
        return _sentences(f"Role {role} lacks a privilege for this.", privilege_hint(kind, role, action))
    if error.errno in NOT_FOUND:
        text = f"What the statement names was dropped since, never was there, or role {role} may not see or use it."
        return _sentences(text, privilege_hint(kind, role, action))
    return ""


def _sentences(*texts: str) -> str:
    return " ".join(text for text in texts if text)
