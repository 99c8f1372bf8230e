reply = client.chat.completions.create(
    model="openai/gpt-5-mini",
    messages=messages,
    timeout=30,
    max_tokens=700,
    extra_body={"models": ["google/gemini-3-flash-preview"], "provider": {"sort": "price"}},
)
