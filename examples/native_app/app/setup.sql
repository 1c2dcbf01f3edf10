-- The setup script of the application: https://docs.snowflake.com/en/developer-guide/native-apps/creating-setup-script
-- pinky's packages come from the application package itself (IMPORTS), what they need from Snowflake's channel.
CREATE APPLICATION ROLE IF NOT EXISTS PROVISIONER;

CREATE OR ALTER VERSIONED SCHEMA CORE;
GRANT USAGE ON SCHEMA CORE TO APPLICATION ROLE PROVISIONER;

CREATE OR REPLACE PROCEDURE CORE.PROVISION_CLIENT(DATABASE_NAME VARCHAR, CLIENT_ID VARCHAR, EMAIL VARCHAR)
  RETURNS VARIANT
  LANGUAGE PYTHON
  RUNTIME_VERSION = '3.11'
  PACKAGES = ('snowflake-snowpark-python', 'attrs', 'cattrs', 'jinja2', 'jsonschema', 'pluggy', 'ruamel.yaml',
              'structlog')
  IMPORTS = ('/lib/pinky_core.zip', '/lib/pinky_schema.zip', '/lib/pinky_database.zip', '/manifest_client.zip',
             '/provision_client.py')
  HANDLER = 'provision_client.main';
GRANT USAGE ON PROCEDURE CORE.PROVISION_CLIENT(VARCHAR, VARCHAR, VARCHAR) TO APPLICATION ROLE PROVISIONER;
