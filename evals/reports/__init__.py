"""What a run says of itself: a table, JUnit XML, one page of HTML, an experiment in Langfuse."""
