# Fails while it is loaded.
raise 'boom'
