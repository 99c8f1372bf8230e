curl https://eu.openrouter.ai/api/v1/chat/completions \
  -H "Authorization: Bearer $OPENROUTER_API_KEY" \
  -H 'HTTP-Referer: https://example.com' -H 'X-Title: Example' \
  --data '{"model": "openai/gpt-5-mini", "plugins": [{"id": "web", "max_results": 3}], "max_tokens": 800}'
