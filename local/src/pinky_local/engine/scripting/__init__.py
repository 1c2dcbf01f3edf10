"""Snowflake Scripting: blocks, their variables and control flow.

Rests on https://docs.snowflake.com/en/developer-guide/snowflake-scripting/index and the pages of
https://docs.snowflake.com/en/sql-reference-snowflake-scripting.
"""
