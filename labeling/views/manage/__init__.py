"""The admin's pages, one module per topic: campaigns, pools, guidelines, prompts, exports."""
