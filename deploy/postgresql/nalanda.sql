-- The database of the nodes, beside those that Temporal makes.
CREATE DATABASE nalanda ENCODING 'UTF8' TEMPLATE template0;
