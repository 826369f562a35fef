"""The page of named views, and the forms that save, rename and delete them."""
