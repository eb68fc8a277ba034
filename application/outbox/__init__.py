"""Messages committed with the rows they speak of, published afterwards."""
