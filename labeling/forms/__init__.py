"""Forms of the labeling pages, one module per audience. They validate input and write nothing."""
