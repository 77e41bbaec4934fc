"""Where else data goes, once the tables hold it: `latest` and `exported` say what, the others bring it there."""
