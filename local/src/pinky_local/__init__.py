"""An embedded Snowflake account on loopback, spoken to by the real connector."""
