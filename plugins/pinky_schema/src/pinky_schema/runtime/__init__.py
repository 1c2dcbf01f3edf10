"""What runs inside Snowflake: standard library only; a bundler puts the text of these modules into bodies."""
