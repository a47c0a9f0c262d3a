"""Coming in with an account elsewhere: OpenID Connect, as a client of any provider.

No Flask, no database, no clock: the caller brings a transport and the moment, keeps the secrets of
each way there and back, and decides whom a provider's word lets in.
"""
