"""Small random source worlds, valid by the contract and as unkind as it allows."""
