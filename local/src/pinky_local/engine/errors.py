"""Refusals, each with Snowflake's number, SQLSTATE and text. One function per refusal.

`NUMBERS` says of every number that the local account answers, also from its data plane and its wire, how well it is
known. Texts are graded like their number at best: most were never seen next to a live account.
"""

from __future__ import annotations

from pinky_local.types import SqlError

COMPILATION = "SQL compilation error:\n"


def syntax(line: int, position: int, unexpected: str) -> SqlError:
    """001003: a token that no rule of the grammar expects there. ``position`` is the column, counted from 0."""
    text = f"{COMPILATION}syntax error line {line} at position {position} unexpected '{unexpected}'."
    return SqlError(1003, "42000", text, line=line, position=position)


def empty_statement() -> SqlError:
    """000900: nothing but white space and comments."""
    return SqlError(900, "42601", f"{COMPILATION}Empty SQL statement.")


def unsupported(feature: str) -> SqlError:
    """000002: a feature the account does not offer, named."""
    return SqlError(2, "0A000", f"Unsupported feature '{feature}'.")


def invalid_property(name: str, kind: str) -> SqlError:
    """001420 (number a guess): a property this object type does not have."""
    return SqlError(1420, "22023", f"{COMPILATION}invalid property '{name}' for '{kind}'")


def duplicate_property(name: str) -> SqlError:
    """001423 (number a guess): a property given twice."""
    return SqlError(1423, "22023", f"{COMPILATION}duplicate property '{name}';")


def invalid_value(value: str, name: str) -> SqlError:
    """001422: a value outside the range or the list of a property."""
    return SqlError(1422, "22023", f"{COMPILATION}invalid value '{value}' for property '{name}'")


def invalid_parameter_value(value: str, name: str) -> SqlError:
    """001008: a value outside the range or the list of a parameter."""
    return SqlError(1008, "22023", f"{COMPILATION}invalid value [{value}] for parameter '{name}'")


def invalid_parameter(name: str) -> SqlError:
    """001006 (number a guess): a parameter that does not exist."""
    return SqlError(1006, "22023", f"{COMPILATION}invalid parameter '{name}'")


def invalid_combination(one: str, value: object, other: str, other_value: object) -> SqlError:
    """001425: two properties whose values do not go together."""
    text = f"{COMPILATION}invalid property combination '{one}'='{value}' and '{other}'='{other_value}'"
    return SqlError(1425, "22023", text)


def missing_option(names: str) -> SqlError:
    """002029: a required property was not given."""
    return SqlError(2029, "42601", f"{COMPILATION}Missing option(s): [{names}].")


def already_exists(name: str) -> SqlError:
    """002002: the name is taken by an object of the same type."""
    return SqlError(2002, "42710", f"{COMPILATION}Object '{name}' already exists.")


def exists_as(name: str, kind: str) -> SqlError:
    """001998: the name is taken by an object of another type in the same name space."""
    return SqlError(1998, "42710", f"{COMPILATION}Object '{name}' already exists as {kind}")


def exists_hidden(kind: str, name: str) -> SqlError:
    """003041: the name is taken by an object that the session's roles hold no privilege on, IF NOT EXISTS or not."""
    text = f"{kind} '{name}' already exists, but current role has no privileges on it. If this is unexpected and you"
    text += " cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may be required to"
    return SqlError(3041, "42710", f"{COMPILATION}{text} manage the privileges on the object.")


def not_found(kind: str, name: str, *, in_query: bool = False) -> SqlError:
    """002003: absent, or hidden from the session's roles; Snowflake does not tell which."""
    return SqlError(
        2003, "42S02" if in_query else "02000", f"{COMPILATION}{kind} '{name}' does not exist or not authorized."
    )


def cannot_perform() -> SqlError:
    """002043: USE or SHOW IN of something absent or hidden."""
    return SqlError(2043, "02000", f"{COMPILATION}Object does not exist, or operation cannot be performed.")


def insufficient(kind: str, name: str) -> SqlError:
    """003001: the object is visible, the privilege is missing."""
    return SqlError(
        3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'"
    )


def access_control(errno: int, text: str) -> SqlError:
    """A refusal of GRANT or REVOKE in the 3000 range."""
    return SqlError(errno, "42501", f"SQL access control error:\n{text}")


def no_database(action: str) -> SqlError:
    """090105: an unqualified name and no current database."""
    text = f"Cannot perform {action}. This session does not have a current database."
    text += " Call 'USE DATABASE', or use a qualified name."
    return SqlError(90105, "22000", text)


def no_schema(action: str) -> SqlError:
    """090106: an unqualified name and no current schema."""
    text = f"Cannot perform {action}. This session does not have a current schema."
    text += " Call 'USE SCHEMA', or use a qualified name."
    return SqlError(90106, "22000", text)


def no_warehouse() -> SqlError:
    """000606: a statement that reads rows in a session without a warehouse."""
    text = "No active warehouse selected in the current session."
    text += "  Select an active warehouse with the 'use warehouse' command.\n"
    return SqlError(606, "57P03", text)


def invalid_identifier(name: str) -> SqlError:
    """000904: a column that the relation does not have."""
    return SqlError(904, "42000", f"{COMPILATION}error line 1 at position 0\ninvalid identifier '{name}'")


def duplicate_column(name: str) -> SqlError:
    """002025: two columns of one name."""
    return SqlError(2025, "42S21", f"{COMPILATION}duplicate column name '{name}'")


def compilation(errno: int, sqlstate: str, text: str) -> SqlError:
    """Any other compilation error whose number is known."""
    return SqlError(errno, sqlstate, COMPILATION + text)


PROVIDER, GUESS = "provider", "guess"
"""``provider``: a client of real accounts (Snowflake's Terraform provider or CLI, snowcap) names the number and its
meaning; ``guess``: we know of no source that does."""

NUMBERS: dict[int, tuple[str, str]] = {
    2: (PROVIDER, "unsupported feature"),
    8: (GUESS, "another number of statements than was asked for"),
    603: (GUESS, "internal error of the local account"),
    604: (GUESS, "statement cancelled"),
    606: (PROVIDER, "no active warehouse"),
    625: (GUESS, "a lock that another transaction holds, for too long or in a deadlock"),
    630: (PROVIDER, "statement timeout"),
    709: (GUESS, "unknown or forgotten query id"),
    900: (PROVIDER, "empty statement"),
    904: (PROVIDER, "invalid identifier: no such column"),
    938: (GUESS, "too few arguments of a function"),
    939: (GUESS, "too many arguments of a function"),
    979: (GUESS, "a selected column is not grouped by"),
    1003: (PROVIDER, "syntax error"),
    1006: (GUESS, "no such parameter"),
    1008: (PROVIDER, "invalid value of a parameter"),
    1009: (GUESS, "a name with too many parts"),
    1011: (GUESS, "LIMIT is not a constant"),
    1030: (GUESS, "files in the way of an unload"),
    1044: (GUESS, "invalid argument types of a function"),
    1052: (GUESS, "ambiguous column"),
    1065: (GUESS, "TRY_CAST of a type it does not take"),
    1108: (GUESS, "invalid position in ORDER BY or GROUP BY"),
    1210: (GUESS, "a window function without OVER"),
    1216: (GUESS, "path access into a type that has none"),
    1408: (GUESS, "a column without default added to rows as NOT NULL"),
    1420: (GUESS, "no such property"),
    1422: (PROVIDER, "invalid value of a property"),
    1423: (GUESS, "a property given twice"),
    1425: (PROVIDER, "properties that contradict each other"),
    1430: (GUESS, "an ALTER TABLE action that the column does not allow"),
    1433: (GUESS, "an identity column that is no number"),
    1471: (PROVIDER, "NOT NULL on a column that holds NULL"),
    1789: (GUESS, "set operation over different numbers of columns"),
    1998: (PROVIDER, "the name is taken by an object of another type"),
    2002: (PROVIDER, "the object exists"),
    2003: (PROVIDER, "absent or not authorized"),
    2014: (GUESS, "an UPDATE or MERGE of a column twice"),
    2019: (GUESS, "several columns for a semi-structured file"),
    2020: (GUESS, "another number of values than of columns"),
    2023: (GUESS, "a type that a column cannot change to"),
    2025: (PROVIDER, "duplicate column"),
    2026: (GUESS, "another number of names than of columns"),
    2029: (PROVIDER, "missing property"),
    2031: (GUESS, "unsupported subquery"),
    2037: (PROVIDER, "a view that cannot be expanded"),
    2040: (GUESS, "unknown data type"),
    2043: (PROVIDER, "USE or SHOW IN of something absent or hidden"),
    2049: (GUESS, "a bind variable without value"),
    2057: (GUESS, "a view or query with columns of one name, or a wrong number of columns"),
    2083: (GUESS, "length or precision outside its range"),
    2091: (GUESS, "stage properties that exclude each other"),
    2140: (GUESS, "unknown function"),
    2141: (GUESS, "unknown table function"),
    2145: (GUESS, "more clusters at least than at most"),
    2200: (GUESS, "a task with warehouse and serverless size"),
    2203: (GUESS, "a stream that its source does not allow"),
    2211: (GUESS, "a session variable that does not exist"),
    2236: (GUESS, "a time range outside of a history"),
    2220: (GUESS, "a tag value that is too long, or a stage without directory table"),
    2270: (GUESS, "two primary keys"),
    2271: (GUESS, "ALTER TABLE that rows forbid"),
    2272: (GUESS, "dropping the only column"),
    2273: (GUESS, "dropping a column of a key"),
    2274: (GUESS, "dropping a column of the clustering key"),
    2275: (GUESS, "NULL in a primary key"),
    3001: (PROVIDER, "insufficient privileges"),
    3008: (PROVIDER, "a privilege that the object type does not have"),
    3010: (GUESS, "WRITE without READ on a stage"),
    3013: (PROVIDER, "a role that is not granted to the user"),
    3016: (GUESS, "dependent grants exist"),
    3030: (GUESS, "REVOKE OWNERSHIP"),
    3036: (GUESS, "ownership outside a managed access schema's roles"),
    3041: (PROVIDER, "the name is taken by an object the role holds nothing on"),
    3042: (PROVIDER, "invalid grant"),
    3044: (GUESS, "a cycle of roles"),
    3055: (GUESS, "a role that the other cannot hold"),
    3072: (GUESS, "a database role and a privilege outside its database"),
    3167: (GUESS, "a URL that the storage integration does not allow"),
    3534: (GUESS, "UNSET … POLICY where none is set"),
    3537: (GUESS, "DROP of a policy, or of what holds one, that is set on a user"),
    3546: (GUESS, "a second policy of a type on a user, without FORCE"),
    3539: (GUESS, "DROP … RESTRICT with foreign keys"),
    90063: (PROVIDER, "resuming a warehouse that runs"),
    90064: (PROVIDER, "suspending a warehouse that is suspended"),
    90105: (PROVIDER, "no current database"),
    90106: (GUESS, "no current schema"),
    90153: (GUESS, "more rows than SHOW gives"),
    90231: (GUESS, "ending a transaction of another scope"),
    90232: (GUESS, "a transaction that a procedure left open"),
    90234: (GUESS, "calls that nest too deep"),
    93545: (GUESS, "a remote Git repository that cannot be reached, or that its integration does not allow"),
    394206: (GUESS, "an e-mail without recipients"),
    394207: (GUESS, "an e-mail without subject or content"),
    394208: (GUESS, "an integration that sends no e-mail, or is disabled"),
    394209: (GUESS, "recipients who are no verified users of the account, or not allowed by the integration"),
    90236: (PROVIDER, "a statement that an owner's rights procedure may not run"),
    91089: (GUESS, "a task whose owner may not run it"),
    100016: (GUESS, "a file that is not there, or is not what its format says"),
    91093: (GUESS, "a function of task runs called outside of one"),
    91094: (GUESS, "the return value of a task that is not before this one"),
    91421: (GUESS, "a change in a graph of tasks whose root runs, or a run of a task that is no root"),
    91425: (GUESS, "EXECUTE TASK … RETRY without a run that can be retried"),
    100035: (GUESS, "not a timestamp"),
    100037: (GUESS, "not a boolean"),
    100038: (GUESS, "not a number"),
    100039: (GUESS, "a number outside the range of its type"),
    100040: (GUESS, "not a date"),
    100046: (GUESS, "a number outside every range"),
    100051: (GUESS, "division by zero"),
    100069: (GUESS, "not JSON"),
    100071: (GUESS, "a semi-structured value that does not cast"),
    100072: (GUESS, "NULL in a column that forbids it"),
    100078: (GUESS, "text or bytes too long"),
    100080: (GUESS, "another number of fields than of columns"),
    100090: (GUESS, "a row that MERGE or UPDATE meets twice"),
    100108: (GUESS, "not a time"),
    100117: (GUESS, "a scalar subquery with several rows"),
    100132: (GUESS, "NULL returned by a routine that returns NOT NULL"),
    100183: (GUESS, "SELECT … INTO of no row or of several"),
    100357: (PROVIDER, "what the code of a Python handler raised"),
    390100: (GUESS, "unknown user or wrong password"),
    390101: (GUESS, "user disabled"),
    390189: (GUESS, "a role at login that the user does not have"),
    391801: (GUESS, "a tag value that is not allowed (the provider names the number for objects that take no tag)"),
    391842: (GUESS, "CREATE OR ALTER TABLE with a new column that is not last"),
}
"""Every number of a refusal: how well it is known, and what it means here."""
