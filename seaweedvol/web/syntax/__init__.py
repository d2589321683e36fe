"""Single values as they are written in HTTP, read and written exactly as Go's packages do: targets, dispositions, media
types, JSON, quoted-printable.

Pure: text and bytes in, values out. Knows neither messages nor needles, and imports nothing of :mod:`seaweedvol.web`
beside itself.
"""
