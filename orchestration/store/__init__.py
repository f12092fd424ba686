"""Tables, migrations and the one way to open them."""
