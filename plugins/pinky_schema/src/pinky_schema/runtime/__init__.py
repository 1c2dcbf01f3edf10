"""What runs inside Snowflake: the standard library and nothing else, so that its text can be a procedure's body."""
