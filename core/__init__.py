"""The database: domain, index, storage engines, model providers, and the services over them."""
