from . import adapter, ticket
