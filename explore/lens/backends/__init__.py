"""Search by libraries of others: optional, and imported only when used."""
