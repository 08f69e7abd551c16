"""Makes criba's sample mail: see ../make-samples."""
