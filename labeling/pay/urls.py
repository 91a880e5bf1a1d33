"""URLs of pay."""

from django.urls import path

from labeling.pay import manage_views as pay_manage_views
from labeling.pay import views as pay_views

urlpatterns = [
    path("pay/", pay_manage_views.index, name="pay"),
    path("pay/csv", pay_manage_views.index_csv, name="pay_csv"),
    path("pay/raters/<int:pk>/", pay_manage_views.rater, name="pay_rater"),
    path("pay/raters/<int:pk>/csv", pay_manage_views.rater_csv, name="pay_rater_csv"),
    path("pay/raters/<int:pk>/paid/", pay_manage_views.mark, name="pay_mark"),
    path("pay/disputes/<int:pk>/answer", pay_manage_views.answer, name="pay_answer"),
    path("pools/<int:pk>/rates/", pay_manage_views.rates, name="pool_rates"),
    path("my-pay/", pay_views.index, name="my_pay"),
    path("my-pay/csv", pay_views.as_csv, name="my_pay_csv"),
]
