"""The three tiers an exchange begins with; names and ranks are the operator's to change, codes stay."""

from django.db import migrations

TIERS = [
    ("basic", 1, {"en": "Basic", "zh-hans": "普通会员", "zh-hant": "普通會員"}),
    ("standard", 2, {"en": "Standard", "zh-hans": "标准会员", "zh-hant": "標準會員"}),
    ("premier", 3, {"en": "Premier", "zh-hans": "高级会员", "zh-hant": "高級會員"}),
]


def begin_with_tiers(apps, schema_editor):
    tiers = apps.get_model("compliance", "Tier")
    for code, rank, names in TIERS:
        tiers.objects.get_or_create(code=code, defaults={"rank": rank, "names": names})


class Migration(migrations.Migration):
    dependencies = [("compliance", "0002_rules_across_tables")]
    operations = [migrations.RunPython(begin_with_tiers, migrations.RunPython.noop)]
