"""Documents as people have them: parsers for their formats, and the splitter into chunks."""
