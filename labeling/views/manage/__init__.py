"""The admin's pages, one module a noun: campaigns, pools, guidelines, prompts, exports."""
