"""What a code shows of its picture: attackers that invert heads, and how well they do."""
