"""From a build to a sealed release: what must hold, the seal, corrections and signatures."""
