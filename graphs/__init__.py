"""Who is who and where it went. Pure: follows ledgers, finds end points, draws views; reads and keeps nothing."""
