"""Programs that measure a part of the product, each in a process of its own."""
