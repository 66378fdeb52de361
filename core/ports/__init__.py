"""The ports: the interfaces of storage that services and adapters share."""
