#!/usr/bin/env python3
"""A policy of its own, in Python: one line of JSON in for each event, one line of JSON out for each answer.

    aether-relay --policy-plugin "python3 examples/policy-plugin.py"

Rejects shouting, and lets whoever writes about the "forbidden fruit" believe that it was published.
"""
import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    if request.get("type") != "new":
        continue
    event = request["event"]
    text = event["content"]
    answer = {"id": event["id"], "action": "accept"}
    if text.isupper():
        answer.update(action="reject", msg="please do not shout")
    elif "forbidden fruit" in text:
        answer["action"] = "shadowReject"
    print(json.dumps(answer), flush=True)
