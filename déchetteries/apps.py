from django.apps import AppConfig


class DechetteriesConfig(AppConfig):
    name = "déchetteries"
    label = "dechetteries"
    verbose_name = "Déchetteries"
