"""The coordinator: contracts, graph, gate, work, ledger and store, between the two teams."""
