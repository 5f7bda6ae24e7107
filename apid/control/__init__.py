"""Control: puts configurations in force, carries out commands that concern more than one helper's routes."""
