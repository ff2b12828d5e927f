"""The sources of evidence: where what is known of masters comes from, one in each file."""
